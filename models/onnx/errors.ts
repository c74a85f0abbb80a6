/** A graph that cannot be built; the message begins with the name of the node (or input, or output) at fault. */
export class GraphBuildError extends Error {
  override readonly name = 'GraphBuildError';
  /** Name of the node, input or output. */
  readonly node: string;

  constructor(node: string, problem: string) {
    super(`${node}: ${problem}`);
    this.node = node;
  }
}
