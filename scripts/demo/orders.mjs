/** What a shop hands to its queue: the tasks of one second, and the special ones of the story. Plain data, no I/O. */

/** The first bytes of a PNG: as much as the demo's handlers look at. */
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQ';
const TEXT = Buffer.from('<html>404 not found</html>').toString('base64');
const LOCALES = ['de-DE', 'fr-FR', 'en-GB', 'nl-NL'];
const COLORS = ['sofa', 'lamp', 'shelf', 'desk', 'chair'];

const customer = (n) => `customer-${(n * 7919) % 997}@example.com`;
const amountOf = (n) => Math.round(490 + ((n * 7919) % 1280) ** 1.35) / 100;

export function shop(endpoint) {
  const order = (n) => ({
    provider: 'psp-north',
    endpoint,
    order_id: n,
    amount: amountOf(n),
    currency: 'EUR',
    card: { token: `tok_${(n * 48271).toString(36)}` },
  });
  const mail = (n, template) => ({ endpoint, to: customer(n), template, locale: LOCALES[n % LOCALES.length] });
  const picture = (n, width) => ({ file: `${COLORS[n % COLORS.length]}-${n}.png`, content: PICTURE, width });

  const capture = (n) => ({
    task_type: 'charge.capture',
    queue: 'payments',
    name: `Order ${n}`,
    priority: 8,
    payload: order(n),
    max_retries: 3,
    backoff: { base: 4, max: 60 },
    tags: [`tenant-${n % 50}`, 'checkout'],
  });
  const send = (n, template = 'order-confirmed') => ({
    task_type: 'email.send',
    queue: 'emails',
    priority: 7,
    payload: mail(n, template),
    max_retries: 1,
    backoff: { base: 3 },
    tags: [`tenant-${n % 50}`],
  });
  const digest = (n) => ({
    task_type: 'email.digest',
    queue: 'emails',
    name: `Week for group ${n}`,
    priority: 3,
    max_retries: 5,
    payload: {
      endpoint,
      to: Array.from({ length: 60 }, (_, i) => customer(n + i)),
      template: 'week',
      locale: LOCALES[n % LOCALES.length],
    },
  });
  const thumbnail = (n) => ({
    task_type: 'image.thumbnail',
    queue: 'images',
    priority: 6,
    payload: picture(n, 240 + (n % 7)),
  });
  const resize = (n, width = 1200 + (n % 9) * 100) => ({
    task_type: 'image.resize',
    queue: 'images',
    priority: 4,
    payload: picture(n, width),
    max_retries: 1,
  });
  const push = (n) => ({
    task_type: 'notify.push',
    payload: { device: `phone-${n % 4000}`, text: `Order ${n} is on its way` },
  });
  const refund = (n, inSeconds) => ({
    task_type: 'charge.refund',
    queue: 'payments',
    name: `Refund of order ${n}`,
    payload: order(n),
    ...(inSeconds > 0 && { run_at: new Date(Date.now() + inSeconds * 1000).toISOString() }),
  });
  const monthly = (n, pages, timeout = 300) => ({
    task_type: 'report.monthly',
    queue: 'reports',
    name: `Ledger ${n}`,
    payload: { month: `2026-${String(1 + (n % 12)).padStart(2, '0')}`, pages },
    timeout,
    max_retries: timeout < 60 ? 0 : 3,
  });

  return {
    /** What comes in within one second. */
    second(n) {
      const many = (count, make) => Array.from({ length: count }, (_, i) => make(n * 10 + i));
      return [
        ...many(7, capture),
        ...many(9, (i) => send(i)),
        ...many(3, thumbnail),
        ...many(1, resize),
        ...many(5, push),
        ...(n % 5 === 0 ? [refund(n, 0)] : []),
        ...(n % 7 === 0 ? [refund(n, 900 + n)] : []),
        ...(n % 9 === 0 ? [monthly(n, 40)] : []),
      ];
    },
    /** Much of it at once, so that queues are seen to be deep. */
    backlog: (count) => [
      ...Array.from({ length: count }, (_, i) => digest(i)),
      ...Array.from({ length: count }, (_, i) => resize(i)),
    ],
    exports: (count) =>
      Array.from({ length: count }, (_, i) => ({
        task_type: 'export.orders',
        queue: 'exports',
        payload: { customer: customer(i) },
      })),
    /** Faults that a shop has on any day: each becomes a group of its own. */
    faults(n) {
      const { locale, ...rest } = mail(n, 'welcome');
      return [
        { ...send(n), name: 'Welcome', payload: { ...rest, locale: null } },
        { ...thumbnail(n), name: 'Scraped picture', payload: { ...picture(n, 240), content: TEXT } },
        ...(n % 2 === 0 ? [monthly(n, 60, 4)] : []),
        ...(n % 3 === 0
          ? [{ ...push(n), expires_at: new Date(Date.now() + 1000).toISOString(), queue: 'exports' }]
          : []),
      ];
    },
    poster: (n) => ({ ...resize(n, 20_000), name: 'Poster, 20 000 px', priority: 10 }),
    ledger: (n) => monthly(n, 60, 4),
    bundle: (id) => ({
      task_type: 'report.bundle',
      queue: 'reports',
      name: 'Year in one file',
      payload: { month: '2026-11' },
      depends_on: [id],
    }),
  };
}
