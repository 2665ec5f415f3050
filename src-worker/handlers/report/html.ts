/** A report as one HTML file: nothing is loaded from anywhere, no script, and everything from the rows is escaped. */
import { escapeHtml } from '../escape-html';
import { fieldReader } from '../records/row';
import { layoutChart, type Shape } from './chart-layout';
import { type Chart, type Column, displayValue, type Report } from './model';

const CHART_WIDTH = 720;
const CHART_HEIGHT = 260;
/** Shorter cells stay on one line: dates, numbers, names. */
const NOWRAP_CHARS = 24;

const STYLE = `:root{color-scheme:light}
body{font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:#1d2430;max-width:60rem;margin:2rem auto;padding:0 1.5rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1rem;margin:2rem 0 .5rem}.sub{color:#5d6b7a;margin:.2rem 0 1.2rem}
dl{display:flex;flex-wrap:wrap;gap:.6rem;margin:0}dl div{border:1px solid #dfe4ea;border-radius:8px;padding:.5rem 1rem}dt{color:#5d6b7a;font-size:.8rem}dd{margin:0;font-size:1.2rem;font-weight:600}
svg{width:100%;height:auto}figure{margin:0}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin-top:1.5rem}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #e8ecf0;vertical-align:top}
th{border-bottom:2px solid #8a95a3}th,td{white-space:nowrap}td.w{white-space:normal;overflow-wrap:anywhere}.n{text-align:right;font-variant-numeric:tabular-nums}tfoot td{font-weight:600;border-top:2px solid #8a95a3}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}`;

export function renderHtml(report: Report): string {
  const { title, subtitle, facts, chart } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="sub">${escapeHtml(subtitle)}</p>
<dl>${facts.map(({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>
${chart === null ? '' : renderFigure(chart)}
<div class="scroll">${renderTable(report)}</div>
</body>
</html>
`;
}

const renderFigure = (chart: Chart): string =>
  `<figure><h2>${escapeHtml(chart.title)}</h2>${renderChartSvg(chart, CHART_WIDTH, CHART_HEIGHT)}</figure>`;

function renderChartSvg(chart: Chart, width: number, height: number): string {
  const shapes = layoutChart(chart, width, height).map(renderShape).join('');
  const label = escapeHtml(`${chart.kind} chart: ${chart.title}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}" font-family="system-ui,sans-serif">${shapes}</svg>`;
}

const n = (value: number): string => String(Math.round(value * 100) / 100);

function renderShape(shape: Shape): string {
  switch (shape.kind) {
    case 'line':
      return `<line x1="${n(shape.x1)}" y1="${n(shape.y1)}" x2="${n(shape.x2)}" y2="${n(shape.y2)}" stroke="${shape.colour}" stroke-width="${shape.width}"/>`;
    case 'box':
      return `<rect x="${n(shape.x)}" y="${n(shape.y)}" width="${n(shape.width)}" height="${n(shape.height)}" fill="${shape.colour}"><title>${escapeHtml(shape.title)}</title></rect>`;
    case 'path':
      return `<polyline points="${shape.points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ')}" fill="none" stroke="${shape.colour}" stroke-width="2" stroke-linejoin="round"/>`;
    case 'dot':
      return `<circle cx="${n(shape.x)}" cy="${n(shape.y)}" r="2.5" fill="${shape.colour}"><title>${escapeHtml(shape.title)}</title></circle>`;
    case 'word':
      return `<text x="${n(shape.x)}" y="${n(shape.y)}" text-anchor="${shape.anchor}" font-size="${shape.size}" fill="${shape.colour}">${escapeHtml(shape.text)}</text>`;
  }
}

function renderTable({ columns, rows, totals }: Report): string {
  const cell = (tag: 'td' | 'th', { numeric }: Column, text: string) => {
    const style = numeric ? ' class="n"' : tag === 'td' && text.length > NOWRAP_CHARS ? ' class="w"' : '';
    return `<${tag}${style}>${escapeHtml(text)}</${tag}>`;
  };
  const readers = columns.map((column) => ({ column, read: fieldReader(column.field) }));
  const head = columns.map((column) => cell('th', column, column.label)).join('');
  const body = rows.map(
    (row) =>
      `<tr>${readers.map(({ column, read }) => cell('td', column, displayValue(read(row), column.numeric))).join('')}</tr>`,
  );
  const foot = totals?.map((total, i) => {
    const column = columns[i] ?? { field: '', label: '', numeric: true };
    return cell('td', column, total === null ? (i === 0 ? 'Total' : '') : displayValue(total, true));
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody>${foot ? `<tfoot><tr>${foot.join('')}</tr></tfoot>` : ''}</table>`;
}
