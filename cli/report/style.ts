import { Html } from './html.ts';

/** Light and dark as the system says; 4 px grid; the palette tells no more than the numbers beside it do. */
export const style = new Html(`<style>
:root { color-scheme: light dark; --ink: #1b1d22; --soft: #5d6470; --paper: #fbfbfa; --line: #d9dce1; --panel: #fff;
  --plus: #0a6fb8; --minus: #b4531f; --heat: 10 111 184; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9aa3b0; --paper: #15171b; --line: #33383f;
  --panel: #1c1f24; --plus: #58b0ee; --minus: #f09560; --heat: 88 176 238; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 32px 24px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 40px 0 8px; } h3 { font-size: 15px; margin: 0 0 8px; }
p { margin: 0 0 12px; max-width: 72ch; } .soft { color: var(--soft); }
.progress { border-left: 4px solid var(--plus); background: var(--panel); padding: 8px 12px; margin-top: 16px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; } .scroll { overflow-x: auto; margin-bottom: 20px; }
.matrix td, .matrix th { padding: 4px 8px; text-align: center; border: 1px solid var(--line); min-width: 32px; }
.matrix th { font-weight: 500; font-size: 12px; } .matrix tbody th { text-align: right; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 16px; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 16px; }
.card audio { width: 100%; height: 36px; display: block; margin: 4px 0 8px; } .card p { margin: 0; font-size: 13px; }
.fall { display: grid; grid-template-columns: max-content 1fr max-content; gap: 2px 12px; align-items: center;
  font-variant-numeric: tabular-nums; font-size: 13px; }
.track { position: relative; height: 16px; background: var(--panel); border: 1px solid var(--line); }
.bar { position: absolute; top: 0; bottom: 0; min-width: 1px; }
.plus { background: var(--plus); } .minus { background: var(--minus); } .total { background: var(--soft); }
img.spectrogram { display: block; width: 100%; height: 96px; object-fit: fill; image-rendering: auto; border-radius: 4px; }
code { font-size: 13px; overflow-wrap: anywhere; }
</style>`);
