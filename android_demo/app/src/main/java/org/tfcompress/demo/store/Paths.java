package org.tfcompress.demo.store;

/** Which paths may be asked of a model's folder. */
final class Paths {
    private Paths() {}

    /** A relative path of plain names: no "..", no empty or dot name, no backslash, no drive or control character. */
    static boolean isInside(String path) {
        if (path.isEmpty() || path.length() > 200) {
            return false;
        }
        for (String name : path.split("/", -1)) {
            if (name.isEmpty() || name.equals(".") || name.equals("..")) {
                return false;
            }
        }
        for (int i = 0; i < path.length(); i++) {
            char letter = path.charAt(i);
            if (letter < ' ' || letter == '\\' || letter == ':' || letter == 0x7f) {
                return false;
            }
        }
        return true;
    }
}
