// A page brings its diagrams as text; without scripts they can still be read.
for (const code of document.querySelectorAll("code.language-mermaid")) {
  const drawing = document.createElement("pre");
  drawing.className = "mermaid";
  drawing.textContent = code.textContent;
  code.parentElement.replaceWith(drawing);
}
mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
mermaid.run();
