// Sends evidence one file per request, so that a lost connection costs one photo. Without this script the
// same inputs go with the form around them.
"use strict";
{
    const area = document.querySelector("[data-upload]");
    const form = area && area.closest("form");
    if (form && !area.dataset.live) {
        area.dataset.live = "1";
        area.classList.add("live");
        begin(area, form);
    }

    function begin(area, form) {
        const AT_ONCE = 2;
        const KEEP_DAYS = 14;
        const word = (name) => area.getAttribute(`data-word-${name}`);
        const shots = area.querySelector("[data-shots]");
        const pattern = area.querySelector("template[data-shot]");
        const status = area.querySelector("[data-status]");
        const hold = area.querySelector("[data-hold]");
        const place = `${area.dataset.user}|${location.pathname}`;
        const queue = []; // what has not arrived: {id, file, name, stage, state, tries, tile}
        let held = null; // the submit that waits for the queue: {button}
        let retryAt = 0;

        // -- kept on this device until it has arrived ---------------------------------------------

        const stored = new Promise((resolve) => {
            try {
                const asked = indexedDB.open("portal-uploads", 1);
                asked.onupgradeneeded = () => asked.result.createObjectStore("files", { keyPath: "id" });
                asked.onsuccess = () => {
                    asked.result.onversionchange = () => asked.result.close();
                    resolve(asked.result);
                };
                asked.onerror = asked.onblocked = () => resolve(null);
            } catch {
                resolve(null); // a private window, a browser without it: the files live as long as the page
            }
        });

        async function store(change) {
            const base = await stored;
            if (!base) {
                return null;
            }
            return new Promise((resolve) => {
                try {
                    const deed = base.transaction("files", "readwrite");
                    const asked = change(deed.objectStore("files"));
                    deed.oncomplete = () => resolve(asked.result);
                    deed.onabort = deed.onerror = () => resolve(null); // the disk is full
                } catch {
                    resolve(null);
                }
            });
        }

        const keep = (item) =>
            store((files) =>
                files.put({ id: item.id, place, at: Date.now(), file: item.file, name: item.name, stage: item.stage }),
            );
        const forget = (item) => store((files) => files.delete(item.id));

        async function restore() {
            const rows = (await store((files) => files.getAll())) || [];
            const oldest = Date.now() - KEEP_DAYS * 86400000;
            for (const row of rows) {
                // A shared computer: what somebody else left behind is not this person's.
                if (row.at < oldest || !row.place.startsWith(`${area.dataset.user}|`)) {
                    forget(row);
                } else if (row.place === place && !queue.some((item) => item.id === row.id)) {
                    add(row);
                }
            }
            go();
        }

        // -- tiles --------------------------------------------------------------------------------

        function newTile(name) {
            const tile = pattern.content.firstElementChild.cloneNode(true);
            tile.querySelector(".name").textContent = name;
            tile.querySelector(".type").textContent = name.split(".").pop().slice(0, 4).toUpperCase();
            shots.append(tile);
            return tile;
        }

        function show(item, state, sentence) {
            item.state = state;
            item.tile.className = `shot ${state}`;
            const said = item.tile.querySelector(".said");
            said.textContent = sentence || "";
            said.hidden = !sentence;
            item.tile.querySelector("progress").hidden = state !== "sending";
            item.tile.querySelector("select").disabled = state === "sending";
            item.tile.querySelector("[data-again]").hidden = state !== "failed";
            item.tile.querySelector("[data-remove]").hidden = state === "sending";
            item.tile.querySelector("[data-stop]").hidden = state !== "sending";
            if (state === "refused") {
                item.tile.querySelector("select").hidden = true;
            }
        }

        function arrived(item, answer) {
            const twin = shots.querySelector(`[data-id="${answer.id}"]`);
            if (twin) {
                show(item, "refused", word("same"));
                return;
            }
            const tile = item.tile;
            tile.className = answer.kind === "photo" ? "shot" : "shot is-paper";
            tile.dataset.id = answer.id;
            tile.querySelector(".name").textContent = answer.name;
            tile.querySelector(".said").hidden = true;
            tile.querySelector("progress").hidden = true;
            tile.querySelector("[data-again]").hidden = true;
            tile.querySelector("[data-stop]").hidden = true;
            const link = tile.querySelector("a");
            link.href = answer.view;
            if (answer.thumb) {
                const image = document.createElement("img");
                image.src = answer.thumb;
                image.alt = "";
                link.replaceChildren(image);
            }
            const stage = tile.querySelector("select");
            stage.disabled = false;
            stage.name = `evidence_stage_${answer.id}`;
            stage.value = answer.stage;
            tile.querySelector("[data-remove]").hidden = false;
        }

        // -- sending ------------------------------------------------------------------------------

        function add({ id, file, name, stage }) {
            const item = { id, file, name, stage, tries: 0, tile: newTile(name) };
            item.tile.querySelector("select").value = stage;
            queue.push(item);
            show(item, "waiting", navigator.onLine ? word("waiting") : word("offline"));
            return item;
        }

        async function choose(input) {
            const files = [...input.files];
            input.value = ""; // or the form would send them once more
            const stage = area.querySelector("input[name=stage]:checked").value;
            for (const file of files) {
                const id = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
                const item = add({ id, file, name: file.name, stage });
                if (file.size > Number(area.dataset.mostBytes)) {
                    drop(item, word("too-big"));
                    continue;
                }
                await keep(item);
            }
            go();
        }

        function drop(item, sentence) {
            queue.splice(queue.indexOf(item), 1);
            forget(item);
            show(item, "refused", sentence);
        }

        function go() {
            tell();
            if (!navigator.onLine) {
                return;
            }
            for (const item of queue) {
                if (queue.filter((one) => one.state === "sending").length >= AT_ONCE) {
                    return;
                }
                if (item.state === "waiting") {
                    send(item);
                }
            }
        }

        function request(address, data) {
            const call = new XMLHttpRequest();
            call.open("POST", address);
            call.responseType = "json";
            call.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
            data = Object.entries(data).reduce((all, [name, value]) => (all.append(name, value), all), new FormData());
            return { call, start: () => call.send(data) };
        }

        function send(item) {
            show(item, "sending", word("sending").replace("{percent}", "0"));
            item.tries += 1;
            const bar = item.tile.querySelector("progress");
            const { call, start } = request(area.dataset.upload, { file: item.file, stage: item.stage });
            call.timeout = 300000;
            call.upload.onprogress = (event) => {
                const percent = Math.floor((event.loaded / event.total) * 100);
                bar.value = percent;
                item.tile.querySelector(".said").textContent =
                    percent < 100 ? word("sending").replace("{percent}", percent) : word("checking");
                // All of it is there: the portal keeps it whether or not anybody waits for the answer.
                item.tile.querySelector("[data-stop]").hidden = percent >= 100;
            };
            item.stop = () => {
                call.onabort = null; // taken back, not failed: nothing tries it again
                call.abort();
            };
            call.onload = () => answered(item, call);
            call.onerror = call.onabort = call.ontimeout = () => failed(item, word(navigator.onLine ? "lost" : "offline"));
            start();
        }

        function answered(item, call) {
            const answer = call.response;
            if (call.status === 200 && answer && answer.id) {
                queue.splice(queue.indexOf(item), 1);
                forget(item);
                arrived(item, answer);
            } else if (call.status === 200 || call.status === 403) {
                failed(item, word("signed-out"), false); // the log-in page, or a page too old
            } else if (call.status >= 400 && call.status < 500 && call.status !== 429) {
                drop(item, answer && answer.error ? answer.error : word("refused"));
            } else {
                failed(item, word("fault"));
            }
            go();
            sendForm();
        }

        function failed(item, sentence, again = true) {
            show(item, "failed", sentence);
            go();
            sendForm();
            if (again) {
                // 4 s, 8 s … 64 s: a server that comes back is not met by all phones at once.
                const wait = 2000 * 2 ** Math.min(item.tries, 5) * (0.8 + 0.4 * Math.random());
                clearTimeout(retryAt);
                retryAt = setTimeout(retry, wait);
            }
        }

        function retry() {
            for (const item of queue) {
                if (item.state === "failed") {
                    show(item, "waiting", word("waiting"));
                }
            }
            go();
            sendForm();
        }

        function tell() {
            const busy = queue.some((item) => item.state === "sending" || item.state === "waiting");
            if (!navigator.onLine && queue.length) {
                status.textContent = word("offline");
            } else {
                const fine = !queue.length && area.dataset.sent && !shots.querySelector(".refused");
                status.textContent = fine ? word("done") : "";
            }
            if (busy) {
                area.dataset.sent = "1";
            }
        }

        // -- the form waits for its files -----------------------------------------------------------

        function named(sentence) {
            return word(sentence).replace("{files}", () => queue.map((item) => item.name).join("、"));
        }

        form.addEventListener("submit", (event) => {
            if (event.defaultPrevented || !queue.length || area.dataset.without) {
                return;
            }
            event.preventDefault();
            held = { button: event.submitter };
            retry();
            sendForm();
            hold.scrollIntoView({ block: "nearest" });
        });

        function sendForm() {
            if (!held) {
                return;
            }
            if (!queue.length) {
                const { button } = held;
                held = null;
                hold.hidden = true;
                form.requestSubmit(button);
                return;
            }
            const stuck = !navigator.onLine || queue.every((item) => item.state === "failed");
            hold.querySelector("p").textContent = named(stuck ? "missing" : "hold");
            hold.querySelector("button").hidden = !stuck;
            hold.hidden = false;
            if (stuck) {
                // Nobody expects a form to leave minutes later by itself.
                hold.without = held.button;
                held = null;
            }
        }

        hold.querySelector("button").addEventListener("click", () => {
            area.dataset.without = "1";
            form.requestSubmit(hold.without);
            delete area.dataset.without;
        });

        // -- hands ----------------------------------------------------------------------------------

        for (const input of area.querySelectorAll("input[type=file]")) {
            input.addEventListener("change", () => choose(input));
        }

        shots.addEventListener("click", (event) => {
            const tile = event.target.closest(".shot");
            const item = queue.find((one) => one.tile === tile);
            if (event.target.closest("[data-again]") && item) {
                show(item, "waiting", word("waiting"));
                go();
            } else if (event.target.closest("[data-remove], [data-stop]")) {
                if (item) {
                    if (item.state === "sending") {
                        item.stop();
                    }
                    queue.splice(queue.indexOf(item), 1);
                    forget(item);
                }
                if (tile.dataset.id) {
                    tellServer(tile, "remove", {}, () => tile.remove());
                } else {
                    tile.remove();
                }
                go();
                sendForm();
            }
        });

        shots.addEventListener("change", (event) => {
            const tile = event.target.closest(".shot");
            const item = queue.find((one) => one.tile === tile);
            if (!event.target.matches("select")) {
                return;
            }
            if (item) {
                item.stage = event.target.value;
                keep(item);
            } else if (tile.dataset.id) {
                tellServer(tile, "stage", { stage: event.target.value }, () => {});
            }
        });

        function tellServer(tile, deed, data, done) {
            const base = area.dataset.upload.split("/add/")[0];
            const { call, start } = request(`${base}/${tile.dataset.id}/${deed}/`, data);
            const said = tile.querySelector(".said");
            tile.classList.add("gone");
            call.onloadend = () => {
                tile.classList.remove("gone");
                const fine = call.status === 200 && call.response && call.response.id;
                said.hidden = Boolean(fine);
                said.textContent = fine ? "" : (call.response && call.response.error) || word("not-changed");
                if (fine || call.status === 404) {
                    done(); // gone already, by the other window
                }
            };
            start();
        }

        for (const button of shots.querySelectorAll("[data-remove]")) {
            button.hidden = false;
        }
        window.addEventListener("online", retry);
        window.addEventListener("offline", () => {
            for (const item of queue) {
                if (item.state === "waiting") {
                    show(item, "waiting", word("offline"));
                }
            }
            tell();
        });
        window.addEventListener("beforeunload", (event) => {
            if (queue.length && !area.dataset.kept) {
                event.preventDefault(); // there is no place on this device that would keep them
            }
        });
        stored.then((base) => {
            if (base) {
                area.dataset.kept = "1";
            }
        });
        restore();

        // Somebody who comes back to the page goes on with the stage that was chosen last.
        try {
            const chosen = sessionStorage.getItem(`stage:${place}`);
            for (const radio of area.querySelectorAll("input[name=stage]")) {
                radio.checked = chosen ? radio.value === chosen : radio.checked;
                radio.addEventListener("change", () => sessionStorage.setItem(`stage:${place}`, radio.value));
            }
        } catch {
            // There is no place where it could have been kept.
        }
    }
}
