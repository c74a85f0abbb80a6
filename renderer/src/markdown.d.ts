/** Documentation as text, put into the window when it is built. */
declare module '*.md?raw' {
  const text: string;
  export default text;
}
