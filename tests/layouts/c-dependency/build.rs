fn main() {
    cc::Build::new().file("src/bell.c").compile("bell");
    println!("cargo:rerun-if-changed=src/bell.c");
}
