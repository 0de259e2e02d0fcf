/** What the lab logs through; pino's loggers fit. Messages are constant, data goes in the object. */
export interface LabLog {
  debug(data: object, message: string): void
  info(data: object, message: string): void
  warn(data: object, message: string): void
}
