/** Money: captures and refunds at a payment provider. Of the demo: `node scripts/demo-incident.mjs`. */
import { defineHandler, type HandlerContext, z } from 'millrace';
import { PspClient } from './lib/psp-client';

const Order = z.object({
  provider: z.string(),
  endpoint: z.string().describe('Address of the provider'),
  order_id: z.int(),
  amount: z.number().positive(),
  currency: z.string().length(3),
  card: z.object({ token: z.string() }).optional(),
});
type Order = z.infer<typeof Order>;

async function captureOrder({ payload, task, log, signal }: HandlerContext<Order>) {
  const { provider, endpoint, order_id, amount, currency } = payload;
  log.info(`capture ${amount} ${currency} of order ${order_id} at ${provider}`, { attempt: task.attempt });
  const charge = await new PspClient(endpoint).capture(task.id, { order_id, amount, currency }, signal);
  log.info('captured', { charge: charge.id });
  return { charge: charge.id, amount, currency };
}

async function refundOrder({ payload, task, log, signal }: HandlerContext<Order>) {
  const { endpoint, order_id, amount, currency } = payload;
  const refund = await new PspClient(endpoint).refund(task.id, { order_id, amount, currency }, signal);
  log.info(`refunded order ${order_id}`, { refund: refund.id });
  return { refund: refund.id, amount, currency };
}

const about = { payload: Order, timeout: 20 };

export default [
  defineHandler({
    ...about,
    type: 'charge.capture',
    description: 'Takes the money of an order',
    run: (context) => captureOrder(context),
  }),
  defineHandler({
    ...about,
    type: 'charge.refund',
    description: 'Gives it back',
    run: (context) => refundOrder(context),
  }),
];
