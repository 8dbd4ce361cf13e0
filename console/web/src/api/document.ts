/** One GraphQL operation as text, with the types of its answer and variables. */
export class TypedDocument<Result, Variables> {
  /** Never set; carries the types. */
  declare readonly types?: (variables: Variables) => Result

  constructor(
    readonly name: string,
    readonly text: string,
  ) {}
}
