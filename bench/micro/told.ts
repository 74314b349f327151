/** What the trail is told of a Get, for the suites that time its lines. What it is not: a suite. */
export const told = {
  user: 'local|kmip',
  client: '01JZ0000000000000000000000',
  address: '127.0.0.1',
  operation: 'Get',
  objects: ['0197f3a2-6f0e-7c3a-9a55-4f5a4a4f2c11'],
  result: 'success',
}
