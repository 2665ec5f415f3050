import { expect, it } from 'vitest';
import { type Command, Commands, keyCaps } from '../../src-renderer/commands.svelte';

const command = (id: string, keys: string): Command => ({ id, title: id, group: 'View', keys, run: () => undefined });

it('finds a command by any of its keys, also where one is the comma', () => {
  const commands = new Commands();
  commands.add(() => [command('settings', 'mod+,'), command('down', 'j, arrowdown'), command('overview', 'g o')]);
  const found = (pressed: string) => {
    const match = commands.match(pressed);
    return match === 'prefix' || match === null ? match : match.id;
  };
  expect(found('mod+,')).toBe('settings');
  expect(found('j')).toBe('down');
  expect(found('arrowdown')).toBe('down');
  expect(found('g')).toBe('prefix');
  expect(found('g o')).toBe('overview');
  expect(found('x')).toBeNull();
});

it('writes keys as they stand on the keyboard, the first of several', () => {
  expect(keyCaps('mod+,', false)).toBe('Ctrl ,');
  expect(keyCaps('mod+shift+p', true)).toBe('⌘⇧P');
  expect(keyCaps('j, arrowdown', false)).toBe('J');
  expect(keyCaps('g o', false)).toBe('G O');
});
