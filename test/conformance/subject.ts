/**
 * The one door through which the tests reach the conformance runner. What it is: names passed on. What it is not: tests.
 */
export * from '../../conformance/bindings.ts'
export * from '../../conformance/case.ts'
export * from '../../conformance/compare.ts'
export * from '../../conformance/facts.ts'
export * from '../../conformance/pattern.ts'
export * from '../../conformance/report.ts'
export * from '../../conformance/run.ts'
export * from '../../conformance/variations.ts'
