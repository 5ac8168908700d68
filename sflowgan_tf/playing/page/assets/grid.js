// Versions of a scene; one of them can be chosen.
const grid = element.querySelector(".grid");
function show() {
  const cells = (props.value && props.value.cells) || [];
  grid.replaceChildren(...cells.map((cell, index) => {
    const box = document.createElement("div"), image = document.createElement("img"), bar = document.createElement("div");
    const title = document.createElement("b"), use = document.createElement("button"), save = document.createElement("a");
    box.className = "cell"; box.setAttribute("role", "listitem");
    image.src = cell.picture; image.alt = cell.title; title.textContent = cell.title;
    use.type = "button"; use.textContent = "Use"; use.setAttribute("aria-label", `Use ${cell.title}`);
    use.addEventListener("click", () => trigger("select", { index }));
    save.href = cell.picture; save.download = cell.name; save.textContent = "Save"; save.setAttribute("aria-label", `Save ${cell.title}`);
    bar.append(title, use, save); box.append(image, bar);
    return box;
  }));
}
watch("value", show);
show();
