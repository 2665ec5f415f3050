/** The views, as the sidebar, the palette and the title of the window name them. */
import type { IconName } from '../components/icon-paths';
import type { View } from '../router.svelte';

export interface Place {
  readonly view: View;
  readonly title: string;
  readonly keys: string;
  readonly icon: IconName;
}

export const PLACES: readonly Place[] = [
  { view: 'overview', title: 'Overview', keys: 'g o', icon: 'gauge' },
  { view: 'failures', title: 'Failures', keys: 'g f', icon: 'failures' },
  { view: 'tasks', title: 'Tasks', keys: 'g t', icon: 'list' },
  { view: 'queues', title: 'Queues', keys: 'g q', icon: 'layers' },
  { view: 'workers', title: 'Workers', keys: 'g w', icon: 'cpu' },
  { view: 'submit', title: 'Submit task', keys: 'n', icon: 'plus' },
  { view: 'operations', title: 'Operations', keys: 'g p', icon: 'checklist' },
  { view: 'metrics', title: 'Metrics', keys: 'g m', icon: 'chart' },
  { view: 'audit', title: 'Audit', keys: 'g a', icon: 'scroll' },
  { view: 'settings', title: 'Settings', keys: 'mod+,', icon: 'settings' },
];
