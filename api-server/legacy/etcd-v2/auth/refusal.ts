/** What /v2/auth refuses, in etcd's words (etcdserver/api/v2auth of etcd 3.4). */
export class AuthRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Of the users and roles themselves: etcd puts its name before these. */
export function refused(status: number, sentence: string): AuthRefusal {
  return new AuthRefusal(status, `auth: ${sentence}`)
}
