/**
 * report_generation: given rows, or the numbers of tasks by queue and status, as a PDF, an HTML page or a workbook with
 * a chart, to download as an artifact.
 */

import type { z } from 'zod';
import { type Clock, systemClock } from '#queue/kernel/clock';
import { type Artifact, type BuiltInConfig, FatalError, type HandlerContext, type HandlerDefinition } from '../handler';
import { outputName } from './input/file-name';
import { buildRowsReport, buildStatisticsReport } from './report/build-report';
import type { Report } from './report/model';
import { ReportPayload } from './report/payload';

type Payload = z.infer<typeof ReportPayload>;
type Context = HandlerContext<Payload>;

/** @param clock gives the time that stands on the report */
export function createReportGenerationHandler(
  _config: BuiltInConfig,
  clock: Clock = systemClock,
): HandlerDefinition<typeof ReportPayload> {
  return {
    type: 'report_generation',
    description: 'Task statistics or given rows as a PDF, an HTML page or a workbook, with a chart',
    payload: ReportPayload,
    run: (context) => generateReport(context, new Date(clock.now())),
  };
}

async function generateReport(context: Context, createdAt: Date) {
  const { payload, signal } = context;
  const report = await collect(context, createdAt);
  signal.throwIfAborted();
  await context.progress(20, `${report.rows.length} rows`);
  const name = outputName(payload.name, null, 'report', payload.format);
  const { artifact, pages } = await write(context, report, name, createdAt);
  await context.progress(100, `${artifact.name} is ready`);
  return {
    title: report.title,
    format: payload.format,
    rows: report.rows.length,
    ...(pages !== undefined && { pages }),
    artifact,
  };
}

/** @throws FatalError where rows are asked for and there are none */
async function collect({ payload, tasks, progress }: Context, createdAt: Date): Promise<Report> {
  const subtitle = `${createdAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const source = payload.source ?? (payload.rows === undefined ? 'statistics' : 'rows');
  if (source === 'rows') {
    if (payload.rows === undefined) throw new FatalError('give the rows to report on');
    return buildRowsReport(payload, payload.rows, subtitle);
  }
  await progress(5, 'counting tasks');
  return buildStatisticsReport(payload, await tasks.statistics(), subtitle);
}

/** The writers are loaded when they are first needed: each brings a library that most workers never use. */
async function write(
  context: Context,
  report: Report,
  name: string,
  createdAt: Date,
): Promise<{ artifact: Artifact; pages?: number }> {
  const { artifacts, signal, log } = context;
  switch (context.payload.format) {
    case 'html': {
      const { renderHtml } = await import('./report/html');
      return { artifact: await artifacts.write(name, renderHtml(report), 'text/html; charset=utf-8') };
    }
    case 'xlsx': {
      const { renderXlsx } = await import('./report/xlsx');
      const data = await renderXlsx(report);
      signal.throwIfAborted();
      return {
        artifact: await artifacts.write(
          name,
          data,
          'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
        ),
      };
    }
    case 'pdf': {
      const { renderPdf } = await import('./report/pdf');
      const onRows = (done: number, of: number) => context.progress(20 + (70 * done) / of, `row ${done} of ${of}`);
      const { stream, pages, missing } = await renderPdf(report, { createdAt, signal, onRows });
      if (missing.length > 0) {
        log.warn(`the font of the PDF lacks ${missing.slice(0, 20).join(' ')}; HTML and XLSX show every character`, {
          missing: missing.length,
        });
      }
      return { artifact: await artifacts.write(name, stream, 'application/pdf'), pages };
    }
  }
}
