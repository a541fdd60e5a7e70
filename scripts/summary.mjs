/** Adds up vitest's JSON reports. */
import { readFileSync } from 'node:fs';

/**
 * Counts of one report file. A file of tests that could not be loaded counts as one failure, and so does a
 * skipped or unfinished test: what did not run has not passed. A missing report is a failure too.
 */
export function countReport(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, problems: [`no report: ${path}`] };
  }
  const problems = [];
  let passed = 0;
  for (const file of report.testResults) {
    if (file.assertionResults.length === 0) problems.push(`not loaded: ${file.name}`);
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else problems.push(`${test.status}: ${test.fullName} (${file.name})`);
    }
  }
  if (report.success === false && problems.length === 0)
    problems.push(`failed outside of its tests: ${path}`);
  return { passed, failed: problems.length, problems };
}

/** The sum over several reports. No test at all is no success. */
export function summarise(counts) {
  const sum = { passed: 0, failed: 0, problems: [] };
  for (const { passed, failed, problems } of counts) {
    sum.passed += passed;
    sum.failed += failed;
    sum.problems.push(...problems);
  }
  if (sum.passed + sum.failed === 0) return { passed: 0, failed: 1, problems: ['no test ran'] };
  return sum;
}
