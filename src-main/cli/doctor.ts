/** `millrace doctor`: looks at Redis and this machine, and says how to mend what is wrong. */
import { Command } from 'commander';
import type { Config } from '../config';
import type { DoctorReport } from '../doctor';
import type { CheckState } from '../doctor/check';
import { EXIT } from './exit';
import { asJson } from './format';
import { addConfigOptions } from './options';
import { type CliDeps, readConfig } from './session';

export type DoctorRunner = (config: Config) => Promise<DoctorReport>;

const MARKS: Record<CheckState, string> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL', skipped: 'skip' };
/** The last of these means that nothing else could be looked at. */
const CONNECTION_CHECKS = ['redis address', 'redis sentinels', 'redis connection'];

export const doctorCommand = ({ io, finish }: CliDeps, run: DoctorRunner): Command =>
  addConfigOptions(
    new Command('doctor')
      .description('Check Redis, ports, disk and handlers; says how to mend each')
      .option('--json', 'print JSON'),
    ['redis', 'api', 'workers', 'tasks', 'files', 'logs'],
  ).action(async (options: { json?: boolean }, command: Command) => {
    const report = await run(readConfig(command, io));
    io.out(options.json ? asJson(report) : doctorText(report));
    const unreachable = report.checks.some(({ name, state }) => state === 'fail' && CONNECTION_CHECKS.includes(name));
    if (report.state === 'fail') finish(unreachable ? EXIT.unreachable : EXIT.failed);
  });

export function doctorText({ checks, state }: DoctorReport): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state: found, detail, cure }) => [
    `${MARKS[found]}  ${name.padEnd(width)}  ${detail}`,
    ...(cure === null ? [] : [`${' '.repeat(width + 8)}→ ${cure}`]),
  ]);
  const summary = { ok: 'All is well.', warn: 'It works; look at the warnings.', fail: 'Something has to be mended.' }[
    state
  ];
  return `${lines.join('\n')}\n\n${summary}\n`;
}
