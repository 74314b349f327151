#!/usr/bin/env node
/** The command `kmipctl`. What it is: the door. What it is not: the process (kmipctl-process.ts). */
import { keepCode } from './kept-code.ts'

keepCode()
await import('./kmipctl-process.ts')
