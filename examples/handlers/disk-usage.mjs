// A handler in shell. The payload comes as JSON; here it is not needed, as the folder is fixed.
//
//   millrace submit disk_usage --wait
import { defineHandler } from 'millrace';

export default defineHandler({
  type: 'disk_usage',
  description: 'Tells how large the folder of handlers is, in shell',
  timeout: 20,
  exec: ['./programs/disk-usage.sh'],
  env: { UNIT: 'KiB' },
});
