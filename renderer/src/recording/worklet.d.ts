/** A script of its own, by its address. */
declare module '*?worker&url' {
  const url: string;
  export default url;
}
