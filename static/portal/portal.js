// Comfort only; every page works without it.
"use strict";
{
    const menus = "details.menu, details.filter";

    // An open menu closes at a click elsewhere and at Escape, which gives the focus back.
    document.addEventListener("click", (event) => {
        for (const menu of document.querySelectorAll(menus)) {
            if (menu.open && !menu.contains(event.target)) {
                menu.open = false;
            }
        }
    });
    document.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") {
            return;
        }
        for (const menu of document.querySelectorAll(menus)) {
            if (menu.open) {
                menu.open = false;
                menu.querySelector("summary").focus();
            }
        }
    });

    // On a narrow screen the navigation scrolls sideways: bring the present page into view.
    const here = document.querySelector(".site-nav [aria-current]");
    if (here) {
        const list = here.closest("ul");
        list.scrollLeft = here.offsetLeft - (list.clientWidth - here.clientWidth) / 2;
    }

    // A form is sent once, however often the button is pressed. Pressed again after the browser's
    // "back", it works: the page comes back as it was first shown.
    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (form.method !== "post" || event.defaultPrevented) {
            return;
        }
        if (form.dataset.sent) {
            event.preventDefault();
            return;
        }
        form.dataset.sent = "1";
        setTimeout(() => delete form.dataset.sent, 8000);
    });
    window.addEventListener("pageshow", () => {
        for (const form of document.forms) {
            delete form.dataset.sent;
        }
    });

    // Who logs out leaves no unsaved text behind on a shared device (static/portal/draft.js keeps it).
    for (const form of document.querySelectorAll("form[data-drafts-of]")) {
        form.addEventListener("submit", () => {
            try {
                for (const key of Object.keys(localStorage)) {
                    if (key.startsWith(`draft:${form.dataset.draftsOf}:`)) {
                        localStorage.removeItem(key);
                    }
                }
            } catch {
                // There is no place where anything could have been kept.
            }
        });
    }

    // "/" goes to the search, wherever no text is being typed; where its box is not shown, to its page.
    document.addEventListener("keydown", (event) => {
        const box = document.querySelector("[data-search-key]");
        const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
        if (!box || event.key !== box.dataset.searchKey || typing || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        event.preventDefault();
        if (box.offsetParent) {
            box.focus();
            box.select();
        } else {
            location.assign(box.form.action);
        }
    });

    for (const button of document.querySelectorAll("[data-print]")) {
        button.hidden = false;
        button.addEventListener("click", () => window.print());
    }

    // A page may lie open for hours before it goes to paper; the paper tells when it was made, on every sheet
    // where the browser knows margin boxes. A rule is added to our own style sheet: no inline style.
    window.addEventListener("beforeprint", () => {
        const line = document.querySelector(".on-paper");
        const own = [...document.styleSheets].find((sheet) => sheet.href && sheet.media.mediaText === "print");
        if (!line) {
            return;
        }
        line.querySelector("time").textContent = new Date().toLocaleString(document.documentElement.lang, {
            dateStyle: "long",
            timeStyle: "short",
            timeZone: "Asia/Shanghai",
        });
        if (own && "CSSMarginRule" in window) {
            const text = CSS.escape(line.textContent.trim().replace(/\s+/g, " "));
            const last = own.cssRules.length - 1;
            if (line.hidden) {
                own.deleteRule(last);
            }
            const rule = `@page { @bottom-left { color: #555; font: 8pt sans-serif; content: "${text}"; } }`;
            own.insertRule(rule, own.cssRules.length);
            line.hidden = true;
        }
    });

    // The search box of a choice of several (select2) has no name of its own: it takes that of its field.
    // Asked of jQuery, which calls back in turn: select2 has made its boxes by then.
    window.django?.jQuery?.(() => {
        for (const box of document.querySelectorAll(".select2-search--inline .select2-search__field")) {
            const field = box.closest(".select2-container").previousElementSibling;
            box.setAttribute("aria-label", field?.labels?.[0]?.textContent.trim() ?? "");
        }
    });

    // One tick for a whole page of rows.
    for (const all of document.querySelectorAll("[data-tick-all]")) {
        all.hidden = false;
        const boxes = [...all.form.querySelectorAll("tbody input[type=checkbox]")];
        all.addEventListener("change", () => {
            for (const box of boxes) {
                box.checked = all.checked;
            }
        });
    }

    // A decision that needs its reason is not sent without one: the server would only ask for it.
    for (const button of document.querySelectorAll("[data-needs]")) {
        button.addEventListener("click", (event) => {
            const field = document.getElementById(button.dataset.needs);
            if (!field.value.trim()) {
                event.preventDefault();
                field.setAttribute("aria-invalid", "true");
                field.focus();
            }
        });
    }

    // Photos that wait on this device for a connection are not left to the next person at it.
    for (const form of document.querySelectorAll("form[action$='/logout/']")) {
        form.addEventListener("submit", () => {
            try {
                indexedDB.deleteDatabase("portal-uploads");
            } catch {
                // A browser without it has kept nothing.
            }
        });
    }
}
