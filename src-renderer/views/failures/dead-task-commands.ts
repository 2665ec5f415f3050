/** Keys and palette entries of the list of dead letters. */
import type { Command } from '../../commands.svelte';
import type { DeadLettersStore } from '../../stores/dead-letters-store.svelte';

export interface DeadTaskVerbs {
  store: DeadLettersStore;
  refusal: string | null;
  deleteRefusal: string | null;
  focus: () => void;
  retry: () => void;
  requeue: () => void;
  edit: () => void;
  remove: () => void;
  escape: () => void;
  copy: (what: 'id' | 'link') => void;
}

export const deadTaskCommands = (verbs: DeadTaskVerbs): Command[] => [
  {
    id: 'dead-filter',
    title: 'Filter the dead letters',
    group: 'List',
    keys: '/',
    icon: 'filter',
    run: verbs.focus,
  },
  {
    id: 'dead-retry',
    title: 'Retry the task now',
    group: 'Task',
    keys: 'r',
    icon: 'retry',
    consequence: 'It goes back to pending; of several checked it asks first.',
    refusal: verbs.refusal,
    run: verbs.retry,
  },
  {
    id: 'dead-requeue',
    title: 'Requeue the selection',
    group: 'Actions',
    keys: 'shift+r',
    icon: 'retry',
    consequence: 'Counts first, and asks.',
    refusal: verbs.refusal,
    run: verbs.requeue,
  },
  {
    id: 'dead-edit',
    title: 'Edit and requeue the task',
    group: 'Task',
    keys: 'e',
    icon: 'edit',
    refusal: verbs.refusal,
    run: verbs.edit,
  },
  {
    id: 'dead-delete',
    title: 'Delete the selection',
    group: 'Actions',
    keys: 'backspace',
    icon: 'trash',
    consequence: 'Counts first, and asks. Cannot be taken back.',
    refusal: verbs.deleteRefusal,
    run: verbs.remove,
  },
  {
    id: 'dead-all',
    title: 'Select everything that matches',
    group: 'List',
    keys: 'mod+shift+a',
    run: () => {
      verbs.store.check(new Set(verbs.store.rows.map(({ id }) => id)));
      verbs.store.allMatching = true;
    },
  },
  {
    id: 'dead-copy-id',
    title: 'Copy the id of the task',
    group: 'Task',
    keys: 'y i',
    icon: 'copy',
    run: () => verbs.copy('id'),
  },
  {
    id: 'dead-copy-link',
    title: 'Copy the link of the task',
    group: 'Task',
    keys: 'y l',
    icon: 'link',
    run: () => verbs.copy('link'),
  },
  { id: 'dead-escape', title: 'Close or clear', group: 'List', keys: 'escape', hidden: true, run: verbs.escape },
];
