// A picture over another one, with a slider between them.
const find = (selector) => element.querySelector(selector);
const slider = find("input"), figure = find(".view");
slider.addEventListener("input", () => figure.style.setProperty("--share", `${slider.value}%`));
function show() {
  const value = props.value;
  if (!value) return;
  find(".before").src = value.before; find(".after").src = value.after;
  find(".before").alt = value.titles[0]; find(".after").alt = value.titles[1];
  find(".left").textContent = value.titles[0]; find(".right").textContent = value.titles[1];
  slider.setAttribute("aria-label", `How much of ${value.titles[0]} covers ${value.titles[1]}, percent`);
  find(".pair").style.setProperty("--ratio", value.ratio);
  find(".note").textContent = value.note;
  find(".save").href = value.after; find(".save").download = value.name;
  document.dispatchEvent(new CustomEvent("sflowgan-painted", { detail: value }));
}
watch("value", show);
show();
