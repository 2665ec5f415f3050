/**
 * A native chart in a workbook: Excel and its kin draw it from cells, so it follows when they are changed. It is
 * added through the extension point of write-excel-file ("features"), which gives access to the parts of the file.
 */
import type { Blob } from 'node:buffer';
import type Stream from 'node:stream';
import type { Feature } from 'write-excel-file/node';
import { escapeHtml } from '../escape-html';
import { type Chart, seriesColour } from './model';

const CHART_TYPE = 'application/vnd.openxmlformats-officedocument.drawingml.chart+xml';
const RELATION = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/chart';
const DRAWING = 'http://schemas.openxmlformats.org/drawingml/2006/main';
const CHART = 'http://schemas.openxmlformats.org/drawingml/2006/chart';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PART = 'xl/charts/millrace-chart-1.xml';
const RELATION_ID = 'rId-millrace-chart-1';
/** The ids only have to differ from each other. */
const [CATEGORY_AXIS, VALUE_AXIS] = [111111111, 222222222];

export interface ChartRanges {
  /** References to cells, such as `'Report'!$A$5:$A$9`; null where the points have no names in the table. */
  labels: string | null;
  series: { name: string; values: string }[];
}

/** Cells that the chart covers, counted from 0. */
interface ChartAnchor {
  column: number;
  row: number;
  columns: number;
  rows: number;
}

/** @param chart its values are kept in the file too, for programs that show a file without working it out */
export function chartFeature(chart: Chart, ranges: ChartRanges, anchor: ChartAnchor): Feature<Stream | Buffer | Blob> {
  const firstSheet =
    (xml: string) =>
    (_options: unknown, { sheetIndex }: { sheetIndex: number }) =>
      sheetIndex === 0 ? xml : undefined;
  return {
    files: {
      transform: {
        '[Content_Types].xml': { insert: () => `<Override ContentType="${CHART_TYPE}" PartName="/${PART}"/>` },
        'xl/drawings/drawing{id}.xml': { insert: firstSheet(anchorXml(anchor)) },
        'xl/drawings/_rels/drawing{id}.xml.rels': {
          insert: firstSheet(
            `<Relationship Id="${RELATION_ID}" Type="${RELATION}" Target="../charts/millrace-chart-1.xml"/>`,
          ),
        },
      },
      write: { files: () => ({ [PART]: chartXml(chart, ranges) }) },
    },
  };
}

const anchorXml = ({ column, row, columns, rows }: ChartAnchor): string =>
  `<xdr:twoCellAnchor><xdr:from>${corner(column, row)}</xdr:from><xdr:to>${corner(column + columns, row + rows)}</xdr:to>` +
  '<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="2" name="Chart 1"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr>' +
  '<xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm>' +
  `<a:graphic><a:graphicData uri="${CHART}"><c:chart xmlns:c="${CHART}" xmlns:r="${RELATIONS}" r:id="${RELATION_ID}"/></a:graphicData></a:graphic>` +
  '</xdr:graphicFrame><xdr:clientData/></xdr:twoCellAnchor>';

const corner = (column: number, row: number): string =>
  `<xdr:col>${column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>${row}</xdr:row><xdr:rowOff>0</xdr:rowOff>`;

function chartXml(chart: Chart, ranges: ChartRanges): string {
  const series = chart.series.map((one, i) => seriesXml(chart, one, i, ranges)).join('');
  const axes = `<c:axId val="${CATEGORY_AXIS}"/><c:axId val="${VALUE_AXIS}"/>`;
  const plot =
    chart.kind === 'bar'
      ? `<c:barChart><c:barDir val="col"/><c:grouping val="clustered"/><c:varyColors val="0"/>${series}<c:gapWidth val="60"/>${axes}</c:barChart>`
      : `<c:lineChart><c:grouping val="standard"/><c:varyColors val="0"/>${series}<c:marker val="1"/>${axes}</c:lineChart>`;
  const legend = chart.series.length > 1 ? '<c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend>' : '';
  const title = `<c:title><c:tx><c:rich><a:bodyPr/><a:p><a:r><a:rPr sz="1200" b="1"/><a:t>${escapeHtml(chart.title)}</a:t></a:r></a:p></c:rich></c:tx><c:overlay val="0"/></c:title>`;
  return (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' +
    `<c:chartSpace xmlns:c="${CHART}" xmlns:a="${DRAWING}" xmlns:r="${RELATIONS}"><c:roundedCorners val="0"/>` +
    `<c:chart>${title}<c:autoTitleDeleted val="0"/><c:plotArea><c:layout/>${plot}${AXES}</c:plotArea>${legend}` +
    '<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart></c:chartSpace>'
  );
}

const AXES =
  `<c:catAx><c:axId val="${CATEGORY_AXIS}"/><c:scaling><c:orientation val="minMax"/></c:scaling><c:delete val="0"/><c:axPos val="b"/>` +
  `<c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/><c:crossAx val="${VALUE_AXIS}"/><c:crosses val="autoZero"/></c:catAx>` +
  `<c:valAx><c:axId val="${VALUE_AXIS}"/><c:scaling><c:orientation val="minMax"/></c:scaling><c:delete val="0"/><c:axPos val="l"/>` +
  '<c:majorGridlines><c:spPr><a:ln w="6350"><a:solidFill><a:srgbClr val="DFE4EA"/></a:solidFill></a:ln></c:spPr></c:majorGridlines>' +
  `<c:numFmt formatCode="General" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/><c:crossAx val="${CATEGORY_AXIS}"/><c:crosses val="autoZero"/><c:crossBetween val="between"/></c:valAx>`;

function seriesXml(
  { kind, labels }: Chart,
  { name, values }: Chart['series'][number],
  index: number,
  ranges: ChartRanges,
): string {
  const range = ranges.series[index];
  const colour = seriesColour(index).slice(1).toUpperCase();
  const fill = `<a:solidFill><a:srgbClr val="${colour}"/></a:solidFill>`;
  const look =
    kind === 'bar'
      ? `<c:spPr>${fill}</c:spPr><c:invertIfNegative val="0"/>`
      : `<c:spPr><a:ln w="25400">${fill}</a:ln></c:spPr><c:marker><c:symbol val="circle"/><c:size val="4"/><c:spPr>${fill}</c:spPr></c:marker>`;
  const points = values
    .map((value, i) => (value === null ? '' : `<c:pt idx="${i}"><c:v>${value}</c:v></c:pt>`))
    .join('');
  const words = labels.map((label, i) => `<c:pt idx="${i}"><c:v>${escapeHtml(label)}</c:v></c:pt>`).join('');
  const categories =
    ranges.labels === null
      ? ''
      : `<c:cat><c:strRef><c:f>${escapeHtml(ranges.labels)}</c:f><c:strCache><c:ptCount val="${labels.length}"/>${words}</c:strCache></c:strRef></c:cat>`;
  return (
    `<c:ser><c:idx val="${index}"/><c:order val="${index}"/>` +
    `<c:tx><c:strRef><c:f>${escapeHtml(range?.name ?? '')}</c:f><c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>${escapeHtml(name)}</c:v></c:pt></c:strCache></c:strRef></c:tx>` +
    `${look}${categories}` +
    `<c:val><c:numRef><c:f>${escapeHtml(range?.values ?? '')}</c:f><c:numCache><c:formatCode>General</c:formatCode><c:ptCount val="${values.length}"/>${points}</c:numCache></c:numRef></c:val>` +
    `${kind === 'line' ? '<c:smooth val="0"/>' : ''}</c:ser>`
  );
}
