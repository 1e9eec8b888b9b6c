/** Owns: asking for what a screen shows, and knowing whether the answer is awaited, here, or failed. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/**
 * @param {() => Promise<any>} work asked again whenever a member of `inputs` changes
 * @returns {{data:any, error:any, busy:boolean, again:()=>void, set:(data:any)=>void}}
 */
export function useLoad(work, inputs) {
  const [state, setState] = useState({ data: null, error: null, busy: true });
  const turn = useRef(0);
  const again = useCallback(async () => {
    const mine = ++turn.current;
    const show = (next) => mine === turn.current && setState(next);
    setState((old) => ({ ...old, busy: true, error: null }));
    try {
      show({ data: await work(), error: null, busy: false });
    } catch (error) {
      show({ data: null, error, busy: false });
    }
  }, inputs);
  useEffect(() => {
    again();
  }, [again]);
  return { ...state, again, set: (data) => setState({ data, error: null, busy: false }) };
}
