/** Routes that are documented and come in a later version. */
import { QueueError } from '#queue/contract/errors';
import type { scheduleRoutes } from '#queue/contract/http-fleet';
import type { HandlersOf } from '../handlers';

export const notYet = async (): Promise<never> => {
  throw new QueueError('NOT_IMPLEMENTED', 'this version does not have it yet');
};

export const createScheduleHandlers = (): HandlersOf<typeof scheduleRoutes> => ({
  listSchedules: notYet,
  createSchedule: notYet,
  patchSchedule: notYet,
  deleteSchedule: notYet,
  runSchedule: notYet,
});
