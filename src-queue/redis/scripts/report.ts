import { LIMITS } from '../../contract/limits';
import { escapeText } from '../../kernel/escape';
import type { AttemptReport } from '../calls';
import { defineScript } from '../script';
import { QUEUE, textList } from './lib/pieces';
import lua from './report.lua?raw';

/** Progress and log lines of running attempts. @returns ids whose lease is lost. See report.lua. */
export const report = defineScript<readonly AttemptReport[], string[]>({
  name: 'report',
  lua,
  lib: QUEUE,
  args: (reports) => [
    LIMITS.logLines,
    ...reports.flatMap(({ id, token, progress, logs }) => [
      id,
      token,
      progress === null ? '' : String(progress.percent),
      escapeText(progress?.message ?? ''),
      logs.length,
      ...logs.map((line) => JSON.stringify(line)),
    ]),
  ],
  read: textList,
});
