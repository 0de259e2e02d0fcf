// deadline: 240 s
import { playScript } from './script.ts'

await playScript('1.32')
