// A button in one of three weights.
import type { ComponentProps } from "react";
import styles from "./Button.module.css";

interface Props extends ComponentProps<"button"> {
  weight?: "primary" | "quiet" | "danger";
  small?: boolean;
}

export function Button({ weight = "quiet", small = false, type = "button", ...rest }: Props) {
  const names = [styles["button"], styles[weight], small ? styles["small"] : ""];
  return <button {...rest} type={type} className={names.join(" ")} />;
}
