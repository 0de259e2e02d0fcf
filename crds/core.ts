/** The built-in kinds under the path they had when they were one file. */
export * from './core/index.ts'
