// Comfort for the forms of drafts; everything works without it. What is typed is kept on this device until
// the server has it, saved by itself while there is a connection, and never sent into a dead one.
"use strict";
{
    const SAVE_AFTER = 20000; // ms after the last change
    const NOTE_AFTER = 400;
    const KEEP_DAYS = 14;
    const form = document.querySelector("form[data-draft]");
    if (form) {
        begin(form);
    }

    function begin(form) {
        const key = `draft:${form.dataset.draft}:${location.pathname}`;
        const status = form.querySelector("[data-draft-status]");
        const word = (name) => form.getAttribute(`data-word-${name}`);
        const own = ["csrfmiddlewaretoken", "_version", "_page"];
        let saving = null; // the save that is under way
        let pending = 0;
        let stopped = false; // somebody else changed the draft: the next save by hand asks

        const say = (text) => {
            status.textContent = text;
        };

        // -- what is kept on this device ----------------------------------------------------------

        const inputs = () =>
            [...form.elements].filter(
                (field) =>
                    field.name &&
                    !["file", "submit", "button"].includes(field.type) &&
                    !own.includes(field.name) &&
                    !field.closest("[data-upload]"),
            );

        const values = () => {
            const found = {};
            for (const field of inputs()) {
                if (field.type === "radio" || field.type === "checkbox") {
                    if (field.checked) {
                        found[field.name] = field.value;
                    } else {
                        found[field.name] ??= "";
                    }
                } else {
                    found[field.name] = field.value;
                }
            }
            return found;
        };

        const put = (kept) => {
            for (const field of inputs()) {
                if (!(field.name in kept)) {
                    continue;
                }
                if (field.type === "radio" || field.type === "checkbox") {
                    field.checked = kept[field.name] === field.value;
                } else {
                    field.value = kept[field.name];
                }
            }
        };

        const shown = JSON.stringify(values());

        const read = () => {
            try {
                return JSON.parse(localStorage.getItem(key));
            } catch {
                return null; // switched off, full, or not ours
            }
        };

        const write = (entry) => {
            try {
                if (entry) {
                    localStorage.setItem(key, JSON.stringify(entry));
                } else {
                    localStorage.removeItem(key);
                }
                return true;
            } catch {
                return false;
            }
        };

        /** Keep what stands in the form, with the version on which it was typed. */
        const keep = (more = {}) =>
            write({
                ...(read() || {}),
                ...more,
                at: Date.now(),
                round: form.dataset.round,
                version: form.elements._version.value,
                page: form.elements._page.value,
                values: values(),
            });

        const restore = () => {
            const entry = read();
            if (!entry) {
                return;
            }
            const kept = JSON.stringify(entry.values);
            const arrived =
                kept === shown ||
                // Sent, and saved from that page: nothing was typed since.
                (entry.sent === kept && entry.page === form.dataset.byPage) ||
                // Handed in as it stands here; that round is over.
                (entry.round !== form.dataset.round && entry.handedIn && entry.sent === kept);
            if (arrived || entry.at < Date.now() - KEEP_DAYS * 86400000) {
                write(null);
                return;
            }
            put(entry.values);
            // Typed on the version of then: if somebody has saved since, the server shows both.
            form.elements._version.value = entry.version;
            form.elements._page.value = entry.page;
            const bar = document.querySelector("[data-restored]");
            bar.hidden = false;
            bar.querySelector("[data-drop]").addEventListener("click", () => {
                write(null);
                location.reload();
            });
            say(word("local"));
            later();
        };

        // -- saved by itself ----------------------------------------------------------------------

        const later = () => {
            clearTimeout(pending);
            if (!stopped) {
                pending = setTimeout(save, SAVE_AFTER);
            }
        };

        async function save() {
            if (saving || stopped) {
                return;
            }
            if (!navigator.onLine) {
                say(word("offline"));
                return;
            }
            const sent = JSON.stringify(values());
            // A note that was about to be taken would come after the answer, and stay on the device.
            clearTimeout(noting);
            noting = 0;
            keep({ sent });
            const data = new FormData(form);
            for (const name of [...data.keys()]) {
                if (name === "files" || name.startsWith("evidence_")) {
                    data.delete(name);
                }
            }
            data.set("_save", "1");
            say(word("saving"));
            saving = post(data, sent);
            await saving;
            saving = null;
            if (!stopped && sent !== JSON.stringify(values())) {
                later();
            }
        }

        async function post(data, sent) {
            try {
                const answer = await fetch(location.href, {
                    method: "POST",
                    body: data,
                    headers: { "X-Requested-With": "fetch" },
                    redirect: "manual",
                });
                if (answer.type === "opaqueredirect" || answer.status === 403) {
                    say(word("signed-out"));
                    return;
                }
                const found = await answer.json();
                say(found.message);
                if (answer.status === 409) {
                    stopped = true;
                    return;
                }
                form.elements._version.value = found.version;
                form.dataset.stamp = found.stamp;
                if (form.elements.shifts_opened && found.shifts) {
                    form.elements.shifts_opened.value = found.shifts;
                }
                if (JSON.stringify(values()) === sent && !found.unclear) {
                    write(null);
                } else {
                    keep();
                }
            } catch {
                say(word("failed"));
            }
        }

        // -- typing and sending -------------------------------------------------------------------

        let noting = 0;
        const changed = () => {
            clearTimeout(noting);
            noting = setTimeout(() => {
                noting = 0;
                if (keep()) {
                    say(word("local")); // within a second: who types in the rain must not wonder
                }
            }, NOTE_AFTER);
            later();
        };
        const isOurs = (field) => field.name && !field.closest("[data-upload]");
        form.addEventListener("input", (event) => isOurs(event.target) && changed());
        form.addEventListener("change", (event) => isOurs(event.target) && changed());
        // The last words before the page goes away are kept too.
        window.addEventListener("pagehide", () => {
            if (noting && !form.dataset.sent) {
                clearTimeout(noting);
                keep();
            }
        });
        document.addEventListener("submit", (event) => {
            if ("draftsOf" in event.target.dataset) {
                clearTimeout(noting); // logging out: portal.js has just cleared this device
                noting = 0;
            }
        });
        window.addEventListener("offline", () => say(word("offline")));
        window.addEventListener("online", () => {
            if (read()) {
                save();
            }
        });

        form.addEventListener("submit", (event) => {
            const button = event.submitter;
            if (!navigator.onLine) {
                event.preventDefault();
                keep();
                say(word("offline"));
                status.classList.add("loud");
                return;
            }
            if (saving) {
                // Its answer brings the version that this one has to name.
                event.preventDefault();
                saving.then(() => form.requestSubmit(button));
                return;
            }
            clearTimeout(pending);
            keep({ sent: JSON.stringify(values()), handedIn: Boolean(button && button.name === "_submit") });
        });

        if ("clean" in form.dataset) {
            restore();
        } else {
            keep({ sent: null }); // shown again with what was typed: the server may not have all of it
        }
        marks(form);
        dial(form);
        days(form);
        extension(form);
    }

    // -- what differs from the round before -------------------------------------------------------

    function marks(form) {
        const plain = (text) => text.replace(/\r\n/g, "\n").trim();
        const look = (field) => {
            const box = field.closest("[data-before]");
            if (!box) {
                return;
            }
            const differs = plain(field.value) !== plain(box.dataset.before);
            for (const part of box.querySelectorAll("[data-mark], [data-then]")) {
                part.hidden = !differs;
            }
        };
        const all = () => {
            for (const field of form.querySelectorAll("[data-before] :is(input, textarea)")) {
                look(field);
            }
        };
        form.addEventListener("input", all);
        form.addEventListener("change", all);
        all();
    }

    // -- the percentage and the claim of completion -------------------------------------------------

    function dial(form) {
        const number = form.elements.percent;
        if (!number) {
            return;
        }
        const day = form.elements.claimed_on;
        for (const button of form.querySelectorAll("[data-add]")) {
            button.hidden = false;
            button.addEventListener("click", () => {
                const add = Number(button.dataset.add);
                const now = Number(number.value) || 0;
                // To the next round step, so that two taps from 42 lead to 50.
                const next = add > 0 ? Math.floor(now / 5) * 5 + 5 : Math.ceil(now / 5) * 5 - 5;
                number.value = Math.min(100, Math.max(0, next));
                number.dispatchEvent(new Event("input", { bubbles: true }));
            });
        }
        let before = number.value;
        const claim = () => {
            const claimed = Boolean(day.value);
            if (claimed && !number.readOnly) {
                before = number.value;
                number.value = 100;
            } else if (!claimed && number.readOnly) {
                number.value = before;
            }
            number.readOnly = claimed;
            for (const button of form.querySelectorAll("[data-add]")) {
                button.disabled = claimed;
            }
            form.querySelector("[data-claimed]").hidden = !claimed;
            form.querySelector("[data-clear]").hidden = !claimed;
            form.querySelector("[data-claim]").classList.toggle("on", claimed);
        };
        day.addEventListener("change", () => {
            claim();
            number.dispatchEvent(new Event("input", { bubbles: true }));
        });
        claim();
    }

    function days(form) {
        for (const button of form.querySelectorAll("[data-today], [data-clear]")) {
            button.hidden = "clear" in button.dataset && !form.elements.claimed_on.value;
            button.addEventListener("click", () => {
                const field = button.parentElement.querySelector("input[type=date]");
                field.value = button.dataset.today || "";
                field.dispatchEvent(new Event("change", { bubbles: true }));
            });
        }
    }

    // -- the extension: days in all, and what moves along -------------------------------------------

    function extension(form) {
        const box = form.querySelector("[data-extension]");
        if (!box) {
            return;
        }
        const DAY = 86400000;
        const asDay = (text) => Date.parse(`${text}T00:00:00Z`);
        const field = form.elements.to_on;
        const total = box.querySelector("[data-total]");
        const blank = total.textContent;
        const asked = () => Math.round((asDay(field.value) - asDay(box.dataset.due)) / DAY);
        const rows = [...form.querySelectorAll("[data-shift]")].map((row) => ({
            due: asDay(row.dataset.shift),
            tick: row.querySelector("input[type=checkbox]"),
            day: row.querySelector("input[type=date]"),
            row,
        }));
        const moved = (row, count) => new Date(row.due + count * DAY).toISOString().slice(0, 10);
        for (const row of rows) {
            // A date that nobody has set otherwise follows the milestone's own.
            row.follows = !row.day.value || (asked() > 0 && row.day.value === moved(row, asked()));
            row.day.addEventListener("input", () => {
                row.follows = !row.day.value;
            });
        }
        const update = () => {
            const count = asked();
            if (count > 0) {
                total.textContent = box.dataset.words
                    .replace("{own}", count)
                    .replace("{times}", Number(box.dataset.times) + 1)
                    .replace("{days}", Number(box.dataset.days) + count);
            } else {
                total.textContent = field.value ? "" : blank;
            }
            for (const row of rows) {
                row.row.classList.toggle("on", row.tick.checked);
                if (row.follows) {
                    row.day.value = row.tick.checked && count > 0 ? moved(row, count) : "";
                }
            }
        };
        form.addEventListener("change", update);
        field.addEventListener("input", update);
        update();
    }
}
