/**
 * Flags of the runtime that a server is started with: `npm start`, the image, the unit and the program's first line name them, and whoever
 * starts one to measure or to test it. What it is: the list, and why. What it is not: settings of the server.
 */

/** In the order in which they stand on a command line. */
export const runtimeFlags = [
  // No signal opens a debugger, which reads keys.
  '--disable-sigusr1',
  // Buffers count by their own growth. Without it those of large messages, which die young, had the whole heap collected ten times a
  // second, and each time everybody waited for 10 to 20 ms.
  '--external-memory-accounted-in-global-limit',
  // One thread that marks, sweeps and compiles beside the others. With four, as it is by itself, they and the front share two cores while
  // a heap is marked: it had half of one then, and requests waited for 100 to 200 ms.
  '--v8-pool-size=1',
] as const
