/** Puts options of the configuration onto commands, and takes what was given off them again. */
import { type Command, Option } from 'commander';
import type { OptionGroup } from '../config/option';
import { OPTION_KEYS, type OptionKey, optionSpec } from '../config/options';
import type { Flags } from '../config/sources';

/** Shown in the help of commands that only ask: the rest of the connection is in the documentation. */
const USUAL: readonly OptionKey[] = ['redis_url', 'app_host', 'app_port', 'token', 'data_dir'];

const optionOf = (key: OptionKey): Option => {
  const { flag, env, about, shownDefault } = optionSpec(key);
  const fallback = shownDefault === '' ? '' : `; default: ${shownDefault}`;
  const option = new Option(flag, `${about.replace(/\.$/, '')} (${env}${fallback})`);
  // Several --files or --queues add up, as several values of one.
  return ['list', 'paths'].includes(optionSpec(key).form)
    ? option.argParser((value: string, before: string | undefined) =>
        before === undefined ? value : `${before},${value}`,
      )
    : option;
};

/** All options of these groups, and `--config`. */
export function addConfigOptions(command: Command, groups: readonly OptionGroup[]): Command {
  for (const key of OPTION_KEYS) if (groups.includes(optionSpec(key).group)) command.addOption(optionOf(key));
  return addConfigFile(command);
}

/** What a command needs that talks to the API or to Redis: the usual ones in its help, all of them understood. */
export function addConnectionOptions(command: Command): Command {
  for (const key of OPTION_KEYS) {
    const wanted = ['redis', 'profile', 'api', 'logs'].includes(optionSpec(key).group) || key === 'data_dir';
    if (wanted) command.addOption(optionOf(key).hideHelp(!USUAL.includes(key)));
  }
  command.option('--api <url>', 'Address of the API, such as http://127.0.0.1:8000; nothing else is tried then');
  return addConfigFile(command);
}

const addConfigFile = (command: Command): Command =>
  command.option('--config <file>', 'Config file (MILLRACE_CONFIG; default: config.json in the data folder)');

/** What the command line says on options of the configuration. */
export function flagsOf(command: Command): Flags {
  const given: Record<string, unknown> = command.opts();
  const flags: Flags = {};
  for (const key of OPTION_KEYS) {
    const value = given[new Option(optionSpec(key).flag).attributeName()];
    if (typeof value === 'string' || value === true) flags[key] = value;
  }
  return flags;
}

export function configFileOf(command: Command): string | null {
  const given: unknown = command.opts().config;
  return typeof given === 'string' ? given : null;
}
