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

    for (const button of document.querySelectorAll("[data-print]")) {
        button.hidden = false;
        button.addEventListener("click", () => window.print());
    }
}
