#!/usr/bin/env -S node --disable-sigusr1 --external-memory-accounted-in-global-limit
/** The command `kmipd`. What it is: the door. What it is not: the process (kmipd-process.ts). */
import { keepCode } from './kept-code.ts'

keepCode()
await import('./kmipd-process.ts')
