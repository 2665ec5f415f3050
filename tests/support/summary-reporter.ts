/**
 * Ends the output of a test run with one plain line, `N passed, N failed` (`, N skipped` where any were), for
 * programs that read it. A run that failed outside a test, or a file that did not load, counts as failed too.
 */
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of testModules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed++;
        else if (state === 'skipped') counts.skipped++;
        else failedTests++; // failed, or still pending when the run was cut short
      }
      counts.failed += failedTests;
      if (failedTests === 0 && module.state() === 'failed') counts.failed++; // it did not load, or a hook failed
    }
    counts.failed += unhandledErrors.length;
    const line = `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`;
    // After the default reporter has written its own summary, whatever the order of the reporters.
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
  }
}
