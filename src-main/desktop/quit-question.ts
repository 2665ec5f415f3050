/** What happens to tasks that run when the app is closed: the question, and what its buttons mean. */
import type { MessageBoxOptions } from 'electron';

export type QuitChoice = 'stop' | 'leave' | 'cancel';
const CHOICES: readonly QuitChoice[] = ['stop', 'leave', 'cancel'];

/** @param names of the connections whose workers run tasks */
export function quitQuestion(running: number, names: readonly string[]): MessageBoxOptions {
  const tasks = running === 1 ? '1 task is running' : `${running} tasks are running`;
  return {
    type: 'question',
    message: `${tasks} on ${names.join(', ')}`,
    detail:
      'Stop them: they get the time of the configuration to finish; what is not done by then goes back to its queue.\nLeave the workers running: they go on without a window, until the app is started again.',
    buttons: [
      running === 1 ? 'Stop 1 task and quit' : `Stop ${running} tasks and quit`,
      'Leave the workers running',
      'Cancel',
    ],
    defaultId: 2,
    cancelId: 2,
    noLink: true,
  };
}

export const choiceOf = (button: number): QuitChoice => CHOICES[button] ?? 'cancel';
