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
] as const
