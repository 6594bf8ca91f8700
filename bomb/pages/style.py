"""How pages look: one style sheet, readable at the width of a phone and of a desk."""

STYLE = """
:root { color-scheme: light;
        --ink: #222; --soft: #595959; --line: #dcdcd6; --band: #f0f0ec; --link: #0b5c94; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif;
       color: var(--ink); background: #fafaf8; margin: 0; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .3rem 0 .4rem; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .7rem;
     padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, ul { max-width: 46rem; }
a { color: var(--link); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem .4rem; padding: 0; margin: 1rem 0;
         max-width: none; }
nav a { display: block; padding: .15rem .7rem; border: 1px solid var(--line); border-radius: 1rem;
        background: #fff; text-decoration: none; font-size: .9rem; }
nav a:hover, nav a:focus { border-color: var(--link); }
img, video { max-width: 100%; height: auto; display: block; background: #fff; }
figure { margin: 1rem 0; padding: .7rem;
         background: #fff; border: 1px solid var(--line); border-radius: .4rem; }
figure img { margin: 0 auto; }
figure video { width: 100%; }
figcaption { color: var(--soft); font-size: .9rem; line-height: 1.4; margin-top: .5rem; max-width: 46rem; }
.columns { display: grid; gap: 1rem; margin: 1rem 0; align-items: start;
           grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--least)), 1fr)); }
.columns > * { margin: 0; min-width: 0; }
.row { display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: flex-start; }
.row > * { min-width: 0; }
.cards { display: grid; gap: .8rem; margin: 1.2rem 0;
         grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
.card { background: #fff; border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem;
        max-width: 24rem; }
.card dt { font-weight: 600; overflow-wrap: anywhere; }
.card dd { margin: 0; color: var(--soft); font-size: .9rem; }
.card dd.big { font-size: 2rem; line-height: 1.3; color: var(--ink); font-variant-numeric: tabular-nums; }
.table { overflow-x: auto; margin: 1rem 0; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; background: #fff; font-size: .93rem; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .4rem; }
th, td { border: 1px solid var(--line); padding: .3rem .65rem; text-align: left; vertical-align: top; }
th { background: var(--band); font-weight: 600; }
td.number { text-align: right; white-space: nowrap; }
td small { color: var(--soft); display: block; max-width: 24rem; }
.fit { white-space: nowrap; }
.good { color: #176b2c; } .bad { color: #a11a1a; font-weight: 600; } .open { color: #7a5b00; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em; }
p code, li code, td code, figcaption code { overflow-wrap: anywhere; }
pre { background: var(--band); padding: .7rem; overflow-x: auto; font-size: .88rem; }
.note { background: #fff6dd; border: 1px solid #e8d9a0; border-radius: .4rem; padding: .6rem .8rem; }
details { margin: .8rem 0; }
summary { cursor: pointer; color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 30rem) {
  main { padding: 1rem .7rem 3rem; } figure { padding: .35rem; } h1 { font-size: 1.4rem; }
  table { font-size: .84rem; } th, td { padding: .25rem .35rem; } .columns { gap: .7rem; }
}
@media print { nav, video { display: none; } body { background: #fff; } }
"""
