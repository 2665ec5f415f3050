/** What the desktop app is told on its command line: the options of the configuration, among those of Chromium. */
import { Command } from 'commander';
import { OPTION_GROUPS } from '../config/option';
import type { Flags } from '../config/sources';
import { addConfigOptions, configFileOf, flagsOf } from './options';

/** @param args of the process, without its program. What is no option of ours is Electron's, or a deep link. */
export function desktopArguments(args: readonly string[]): { flags: Flags; configFile: string | null } {
  const command = addConfigOptions(new Command('millrace'), OPTION_GROUPS)
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(args, { from: 'user' });
  return { flags: flagsOf(command), configFile: configFileOf(command) };
}
