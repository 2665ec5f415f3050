/**
 * A handler in Python. Any program will do: payload on its standard input, result on its standard output, progress and
 * logs on its standard error.
 *
 *   millrace submit primes --payload '{"below":1000}' --wait
 */
import { defineHandler, z } from 'millrace';

export default defineHandler({
  type: 'primes',
  description: 'Counts prime numbers, in Python',
  payload: z.object({ below: z.number().int().min(2).max(5_000_000) }),
  timeout: 60,
  exec: ['python3', 'programs/primes.py'],
});
