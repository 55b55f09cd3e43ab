// Ledgers: files may be dropped, and the progress of the work is followed. Both pages work without it.
(() => {
  "use strict";

  const drop = document.querySelector("[data-drop]");
  if (drop) {
    const input = drop.querySelector("input[type=file]");
    const names = drop.querySelector("[data-names]");
    drop.classList.add("is-live");
    const tell = () => { names.textContent = [...input.files].map((file) => file.name).join("\n"); };
    input.addEventListener("change", tell);
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
    }
    for (const kind of ["dragleave", "drop"]) {
      drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.remove("is-over"); });
    }
    drop.addEventListener("drop", (event) => { input.files = event.dataTransfer.files; tell(); });
  }

  const work = document.querySelector("[data-progress]");
  if (work) {
    const bar = work.querySelector("progress");
    const rows = work.querySelector("[data-rows]");
    const look = async () => {
      try {
        const answer = await fetch(work.dataset.progress, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) { window.location.reload(); return; }
        const told = await answer.json();
        if (told.state !== work.dataset.state) { window.location.reload(); return; }
        rows.textContent = told.rows.toLocaleString();
        if (told.state === "reading" && told.of > told.rows) { bar.max = told.of; bar.value = told.rows; }
      } catch { /* the connection is away for a moment: the next look may find it */ }
      window.setTimeout(look, 1000);
    };
    window.setTimeout(look, 500);
  }
})();
