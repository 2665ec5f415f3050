/** Reports, exports and notifications. Of the demo: `node scripts/demo-incident.mjs`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineHandler, z } from 'millrace';

const Period = z.object({ month: z.string().regex(/^\d{4}-\d\d$/), pages: z.int().min(1).max(500) });

export default [
  defineHandler({
    type: 'report.monthly',
    description: 'Closes the books of a month',
    payload: Period,
    async run({ payload, log, progress, signal, artifacts }) {
      log.info(`closing ${payload.month}`);
      const lines = ['page,sum'];
      for (let page = 1; page <= payload.pages; page++) {
        await sleep(250, undefined, { signal });
        lines.push(`${page},${page * 17}`);
        if (page % 10 === 0) log.debug(`page ${page} balanced`);
        await progress((100 * page) / payload.pages, `page ${page} of ${payload.pages}`);
      }
      await artifacts.write(`${payload.month}.csv`, `${lines.join('\n')}\n`, 'text/csv');
      log.info(`${payload.month} is closed`, { pages: payload.pages });
      return { month: payload.month, pages: payload.pages };
    },
  }),
  defineHandler({
    type: 'report.bundle',
    description: 'Puts the reports of a month together, once all of them are there',
    payload: z.object({ month: z.string() }),
    async run({ payload, signal }) {
      await sleep(400, undefined, { signal });
      return { bundle: `${payload.month}.zip` };
    },
  }),
  defineHandler({
    type: 'export.orders',
    description: 'Writes the orders of a customer as a file',
    payload: z.object({ customer: z.string() }),
    async run({ payload, artifacts }) {
      const file = await artifacts.write('orders.csv', `customer,orders\n${payload.customer},12\n`, 'text/csv');
      return { file };
    },
  }),
  defineHandler({
    type: 'notify.push',
    description: 'Tells a telephone',
    payload: z.object({ device: z.string(), text: z.string() }),
    timeout: 10,
    async run({ payload, signal }) {
      await sleep(20, undefined, { signal });
      return { device: payload.device };
    },
  }),
];
