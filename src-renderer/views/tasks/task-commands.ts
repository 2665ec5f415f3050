/** Keys and palette entries of the task list and of the task that is open. */
import type { Command } from '../../commands.svelte';
import { idEnds, plural } from '../../format';
import { STATES_BY_KEY } from '../../query/query-edits';
import type { CopyFormat, Target, TaskDesk } from './task-desk.svelte';
import type { TaskTabs } from './task-tabs.svelte';

export interface ListVerbs {
  readonly focusQuery: () => void;
  readonly filterBy: (state: string) => void;
  readonly checkAllMatching: () => void;
  readonly bulkRequeue: () => void;
  readonly bulkCancel: () => void;
  /** Why this cannot be done to the checked rows now. */
  readonly refusalTo: (verb: 'requeue' | 'cancel') => string | null;
  readonly reload: () => void;
  readonly togglePause: () => void;
  readonly paused: boolean;
  /** Checked rows. */
  readonly checked: number;
}

export function listCommands(verbs: ListVerbs): Command[] {
  const { checked } = verbs;
  return [
    { id: 'tasks-query', title: 'Search tasks', group: 'List', keys: '/', icon: 'search', run: verbs.focusQuery },
    ...STATES_BY_KEY.map(
      (state, n): Command => ({
        id: `tasks-${state}`,
        title: `Show ${state} tasks`,
        group: 'List',
        keys: String(n + 1),
        icon: 'filter',
        run: () => verbs.filterBy(state),
      }),
    ),
    {
      id: 'tasks-all',
      title: 'Show tasks of all states',
      group: 'List',
      keys: '0',
      icon: 'filter',
      run: () => verbs.filterBy(''),
    },
    {
      id: 'tasks-check-matching',
      title: 'Select all tasks that match',
      group: 'List',
      keys: 'mod+shift+a',
      icon: 'checklist',
      run: verbs.checkAllMatching,
    },
    ...(checked === 0
      ? []
      : ([
          {
            id: 'tasks-bulk-requeue',
            title: `Requeue ${plural(checked, 'selected task')}…`,
            group: 'Actions',
            keys: 'r, shift+r',
            icon: 'retry',
            refusal: verbs.refusalTo('requeue'),
            run: verbs.bulkRequeue,
          },
          {
            id: 'tasks-bulk-cancel',
            title: `Cancel ${plural(checked, 'selected task')}…`,
            group: 'Actions',
            keys: 'c',
            icon: 'ban',
            refusal: verbs.refusalTo('cancel'),
            run: verbs.bulkCancel,
          },
        ] satisfies Command[])),
    { id: 'tasks-reload', title: 'Read the list again', group: 'List', icon: 'refresh', run: verbs.reload },
    {
      id: 'tasks-live',
      title: verbs.paused ? 'Resume live updates' : 'Pause live updates',
      group: 'List',
      keys: 'mod+.',
      icon: verbs.paused ? 'play' : 'pause',
      run: verbs.togglePause,
    },
  ];
}

const COPIES: readonly { format: CopyFormat; keys?: string; what: string }[] = [
  { format: 'id', keys: 'y i', what: 'id' },
  { format: 'link', keys: 'y l', what: 'link' },
  { format: 'json', keys: 'y j', what: 'JSON' },
  { format: 'curl', keys: 'y c', what: 'curl command' },
  { format: 'cli', what: 'CLI command' },
];

/** @param single whether keys for one task are free: rows are not checked */
export function taskCommands(
  target: Target,
  desk: TaskDesk,
  tabs: TaskTabs,
  single: boolean,
  openFirst: () => void,
): Command[] {
  const name = `${target.task_type} ${idEnds(target.id)}`;
  const keys = (text: string) => (single ? { keys: text } : {});
  return [
    {
      id: 'task-retry',
      title: `Retry ${name} now`,
      group: 'Task',
      ...keys('r'),
      icon: 'retry',
      refusal: desk.refusalTo('retry', target),
      consequence: 'It becomes pending at once.',
      run: () => desk.retry(target),
    },
    {
      id: 'task-edit',
      title: `Edit ${name}…`,
      group: 'Task',
      keys: 'e',
      icon: 'edit',
      refusal: desk.refusalTo('edit', target),
      run: () => {
        openFirst();
        desk.editing = true;
      },
    },
    {
      id: 'task-cancel',
      title: `Cancel ${name}`,
      group: 'Task',
      ...keys('c'),
      icon: 'ban',
      refusal: desk.refusalTo('cancel', target),
      run: () => desk.ask('cancel', target),
    },
    {
      id: 'task-duplicate',
      title: `Duplicate ${name}…`,
      group: 'Task',
      icon: 'plus',
      consequence: 'Opens Submit, filled with its fields.',
      run: () => desk.duplicate(target.id),
    },
    {
      id: 'task-delete',
      title: `Delete ${name}…`,
      group: 'Task',
      keys: 'backspace',
      icon: 'trash',
      refusal: desk.refusalTo('delete', target),
      run: () => desk.ask('delete', target),
    },
    ...COPIES.map(
      ({ format, keys: own, what }): Command => ({
        id: `task-copy-${format}`,
        title: `Copy the ${what} of ${name}`,
        group: 'Task',
        ...(own === undefined ? {} : { keys: own }),
        icon: 'copy',
        run: () => void desk.copy(format, target.id),
      }),
    ),
    {
      id: 'task-tab-next',
      title: 'Next part of the task',
      group: 'Task',
      keys: 'l, arrowright',
      hidden: true,
      run: () => tabs.turn(1),
    },
    {
      id: 'task-tab-previous',
      title: 'Previous part of the task',
      group: 'Task',
      keys: 'h, arrowleft',
      hidden: true,
      run: () => tabs.turn(-1),
    },
    {
      id: 'task-payload',
      title: 'Show the payload',
      group: 'Task',
      keys: 'space',
      hidden: true,
      run: () => {
        openFirst();
        tabs.shown = 'payload';
      },
    },
    {
      id: 'task-follow',
      title: tabs.following ? 'Let the log stand still' : 'Follow the log',
      group: 'Task',
      keys: 'f',
      run: () => {
        tabs.shown = 'logs';
        tabs.following = !tabs.following;
      },
    },
  ];
}
