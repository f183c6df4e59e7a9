// A C++ libFuzzer target: a ship's manifest, records of a tag, a length and a name. Planted: a name that is too long.
//
//     clang++-14 -g -O1 -fsanitize=fuzzer,address manifest.cpp -o manifest
//     ./manifest CORPUS -max_total_time=10 -artifact_prefix=found/

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

constexpr std::size_t name_size = 16;

std::size_t read_name(const std::uint8_t *bytes, std::size_t length) {
    auto name = std::make_unique<char[]>(name_size);
    // DEFECT name-too-long: the buffer has room for 16 bytes, whatever the record says.
    std::memcpy(name.get(), bytes, length);
    return strnlen(name.get(), name_size);
}

std::size_t read_manifest(const std::uint8_t *bytes, std::size_t size) {
    if (size < 2 || bytes[0] != 'M' || bytes[1] != '1')
        return 0;
    std::size_t letters = 0;
    for (std::size_t at = 2; at + 2 <= size;) {
        const std::uint8_t tag = bytes[at];
        const std::size_t length = bytes[at + 1];
        at += 2;
        if (length > size - at)
            break;
        if (tag == 'n')
            letters += read_name(bytes + at, length);
        at += length;
    }
    return letters;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
    // Also keeps the optimiser from leaving the whole parser out.
    if (read_manifest(bytes, size) > size)
        std::abort();
    return 0;
}
