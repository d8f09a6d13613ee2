document.querySelectorAll("fieldset.quiz").forEach(function (set) {
  var details = set.querySelector("details"), said = document.createElement("p");
  var button = document.createElement("button");
  said.setAttribute("role", "status"); said.setAttribute("aria-live", "polite");
  button.type = "button"; button.textContent = "Check";
  button.setAttribute("aria-label", "Check question " + set.dataset.id);
  details.hidden = true; set.append(button, said);
  function answer() {
    var field = set.querySelector("input[type=text]"), items = set.querySelectorAll("li");
    if (!field) {
      var inputs = Array.from(set.querySelectorAll("input"));
      var at = inputs.findIndex(function (input) { return input.checked; });
      return at < 0 ? "Choose an answer first." : items[at].textContent;
    }
    var text = field.value.trim().replace("\u2212", "-").replace(",", ".");
    if (!text || !isFinite(text)) { return "Type a number first."; }
    var away = Math.abs(Number(text) - Number(set.dataset.number));
    var near = away <= Number(set.dataset.tolerance) + 1e-9;
    return near ? "Right." : "Not yet. " + set.dataset.hint;
  }
  function tell() { said.textContent = ""; said.textContent = answer(); details.hidden = false; }
  button.addEventListener("click", tell);
  set.addEventListener("keydown", function (e) {
    if (e.key === "Enter" && e.target.type === "text") { e.preventDefault(); tell(); }
  });
});
