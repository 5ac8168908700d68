// Takes a saved picture, chosen or dropped anywhere on the page, for its recipe.
const MOST = 8 << 20; // bytes
function read(file) {
  if (!file) return;
  if (file.size > MOST) { props.value = { name: file.name, data: "" }; trigger("upload"); return; }
  const reader = new FileReader();
  reader.onload = () => { props.value = { name: file.name, data: reader.result.split(",")[1] || "" }; trigger("upload"); };
  reader.readAsDataURL(file);
}
const input = element.querySelector("input");
input.addEventListener("change", () => { read(input.files[0]); input.value = ""; });
const elsewhere = (event) => !(event.target.closest && event.target.closest("[data-testid=file-upload], .file-drop, button"));
document.addEventListener("dragover", (event) => { if (elsewhere(event)) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  if (!elsewhere(event) || event.defaultPrevented) return;
  event.preventDefault(); read(event.dataTransfer.files[0]);
});
