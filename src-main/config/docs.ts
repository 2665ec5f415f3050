/** docs/configuration.md, printed from the table of options, so that it cannot fall behind. */
import { OPTION_GROUPS, type OptionGroup } from './option';
import { OPTION_KEYS, optionSpec } from './options';

const TITLES: Record<OptionGroup, string> = {
  redis: 'Redis',
  profile: 'Connection',
  api: 'API',
  workers: 'Workers',
  tasks: 'Tasks',
  files: 'Files',
  logs: 'Logs and traces',
};

const INTRO = `# Configuration

Printed from the table in \`src-main/config/options.ts\` by \`npm run docs\`; a test keeps it current.

An option comes from the first of these that says something: a flag, the environment, \`.env\` in the working folder, the
config file. The config file is \`config.json\` in the data folder, or the one named by \`--config FILE\` (\`MILLRACE_CONFIG\`): a JSON
object with the names of the first column. An unknown name is an error, not a silence. Relative paths start at the working
folder, in the config file at its own folder. Faults are all told at once, a line each, and the exit code is 2.

Secrets (marked *secret*) belong in the environment or a file: the flags of a process can be read by others on the machine.

Where several options say where Redis is, the one from the strongest source counts, and in one source the URL. User, password
and database of the URL win over \`REDIS_USERNAME\`, \`REDIS_PASSWORD\` and \`REDIS_DB\`, which fill in what it leaves out.
With none of them, Millrace starts a Redis of its own in the data folder.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|');

export function renderConfigDocs(): string {
  const sections = OPTION_GROUPS.map((group) => {
    const rows = OPTION_KEYS.filter((key) => optionSpec(key).group === group).map((key) => {
      const { flag, env, about, expects, shownDefault, secret } = optionSpec(key);
      const shown = shownDefault === '' ? '' : /[ ,]/.test(shownDefault) ? shownDefault : `\`${shownDefault}\``;
      const kind = expects === 'text' || expects === 'a path' ? '' : ` Must be ${expects}.`;
      return `| \`${key}\` | \`${cell(flag)}\` | \`${env}\` | ${cell(shown)} | ${cell(about)}${cell(kind)}${secret ? ' *secret*' : ''} |`;
    });
    return [
      `## ${TITLES[group]}`,
      '',
      '| name | flag | environment | default | meaning |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${INTRO}\n${sections.join('\n\n')}\n`;
}
