// The compiler brings no types along.
declare module "kaitai-struct-compiler" {
  const compiler: {
    /** Gives the text of each file by its name. */
    compile(
      language: "javascript",
      spec: unknown,
      importer: { importYaml(name: string, mode: string): Promise<unknown> },
      debug: boolean,
    ): Promise<Record<string, string>>;
  };
  export = compiler;
}
