"""What the site has beside the written pages: the commands' reference, and what draws diagrams."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from cli import main
from commands.reference import reference

HERE = Path(__file__).parent
MERMAID = HERE.parents[1] / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the reference, our own assets and the diagrams' script to the pages."""
    if not MERMAID.exists():
        raise PluginError("the Node.js packages are missing: npm ci, or use ./run.sh docs")
    for path in (HERE / "diagrams.js", HERE / "site.css", MERMAID):
        files.append(File.generated(config, f"assets/{path.name}", abs_src_path=str(path)))
    files.append(File.generated(config, "cli.md", content=reference(main)))
    return files
